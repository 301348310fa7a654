# :fields names Site twice
require ["vnd.ticket", "variables"];
ticket :fields ["site=1", "Site=2"];
