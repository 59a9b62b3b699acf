"""vhost-user: a front end's messages on a socket become calls on devices of ours, and the other way round."""
