# encountered duplicate :desk argument
require ["vnd.ticket", "variables"];
ticket :desk "it" :desk "hr";
