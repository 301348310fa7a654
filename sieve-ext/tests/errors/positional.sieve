# requires 0 positional argument
require ["vnd.ticket", "variables"];
ticket "it";
