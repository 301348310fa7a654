# :priority must be one of urgent, high, normal, low, planning
require ["vnd.ticket", "variables"];
ticket :priority "hihg";
