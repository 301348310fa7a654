require ["vnd.ticket", "variables", "fileinto", "mailbox"];
if not ticketref {
    ticket :try :nosubject :desk "it" :priority "HIGH" :group "net" :category "vpn"
        :subcategory "client" :assignee "bob" :requester "eve@example.test"
        :summary "Dr${hex:}ucker" :tags ["gate", "b"] :fields ["site=hq", "floor=3"];
}
if anyof (hasticket, ticketref :verify, ticketref :contains ["IT-", "HR-"],
          ticketref :verify :comparator "i;octet" :is "IT-1") {
    fileinto :create "T/${ticket.id}/${ticket.status}/${ticket.ref}/${ticket.url}/${ticket.group}/${ticket.category}/${ticket.priority}";
}
