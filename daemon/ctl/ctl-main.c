/* millctl: what administrators and scripts say to millraced. */

#include <langinfo.h>
#include <locale.h>
#include <string.h>

#include "ctl/ctl.h"
#include "sdk/str.h"

int main(int argc, char *argv[]) {
        Ctl ctl = {.out = stdout, .errors = stderr, .socket = CTL_SOCKET};

        (void) setlocale(LC_CTYPE, "");
        ctl.is_utf8 = mr_streq(nl_langinfo(CODESET), "UTF-8");
        int code = ctl_main(&ctl, argc, argv);
        ctl_done(&ctl);
        if (fflush(stdout) != 0 || ferror(stdout))
                return code == CTL_OK ? CTL_FAILED : code;
        return code;
}
