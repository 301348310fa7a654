# key list
require ["vnd.ticket", "variables"];
if ticketref 1 { stop; }
