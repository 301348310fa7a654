# :summary must be without control characters
require ["vnd.ticket", "variables"];
ticket :summary "a
b";
