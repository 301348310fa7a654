# :fields must be name=value
require ["vnd.ticket", "variables"];
ticket :fields "site";
