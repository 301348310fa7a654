# string
require ["vnd.ticket", "variables"];
ticket :group ["a", "b"];
