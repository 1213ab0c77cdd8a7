#pragma once

/* What a process keeps in memory. */

/* Gives back the pages of programs and libraries that were read so far, and cost nothing to have
 * again: after a start most of them have done their work, such as symbol tables, and libraries that
 * only another one is linked with. */
void resident_trim(void);
