/* The platform's own translation of observations. */

#include "../../platforms/rhel-baremetal/observation.c"
