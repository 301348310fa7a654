# :tags must not be empty
require ["vnd.ticket", "variables"];
ticket :tags ["a", ""];
