require ["vnd.ticket", "variables"];

set "ticket.id" "IT-1";
