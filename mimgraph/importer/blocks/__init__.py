"""Make blocks of bodies: equal ones become one, with params for what differs."""
