# variable ${ticket.id} cannot be assigned
require ["vnd.ticket", "variables"];
set "ticket.id" "IT-1";
