# :desk must be a name
require ["vnd.ticket", "variables"];
ticket :desk "i t";
