/* The platform's own translation of actions. */

#include "../../platforms/rhel-baremetal/batch.c"
#include "../../platforms/rhel-baremetal/names.c"
