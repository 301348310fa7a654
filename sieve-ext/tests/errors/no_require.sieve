# unknown namespace
require "variables";
if string "${ticket.id}" "" { stop; }
