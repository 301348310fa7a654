# unknown variable in namespace ticket
require ["vnd.ticket", "variables"];
if string "${ticket.secret}" "" { stop; }
