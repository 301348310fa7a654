# :requester must be an address
require ["vnd.ticket", "variables"];
ticket :requester "eve";
