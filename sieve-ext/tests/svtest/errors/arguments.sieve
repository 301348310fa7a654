require "vnd.ticket";

# 1
ticket :priority "hihg";
# 2
ticket :desk "a b";
# 3
ticket :desk "";
# 4
ticket :requester "nobody";
# 5
ticket :fields ["noequals"];
# 6
ticket :desk "it" :desk "hr";
# 7
ticket :bogus;
# 8
ticket "positional";
# 9
ticket :tags [""];
# 10, the summary of all of them
