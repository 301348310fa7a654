# unknown tagged argument ':verfy'
require ["vnd.ticket", "variables"];
if ticketref :verfy { stop; }
