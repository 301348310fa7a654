# Mail to a desk becomes a ticket; what is filed afterwards carries its ID.
require ["vnd.ticket", "envelope"];

if envelope :is "to" ["support@example.com", "it@example.com"] {
    ticket;
}
