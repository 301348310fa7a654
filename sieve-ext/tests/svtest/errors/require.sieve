ticket;
