# unknown tagged argument ':bogus'
require ["vnd.ticket", "variables"];
ticket :bogus "x";
