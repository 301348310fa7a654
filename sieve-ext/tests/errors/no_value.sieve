# the :desk tag
require ["vnd.ticket", "variables"];
ticket :desk;
