#pragma once

/* What a decoder reports without refusing the document. */

#include "field.h"

typedef struct Decoder {
        MrArena *arena;           /* borrowed */
        MrTree *warnings;         /* borrowed list, may be NULL */
        MrError *err;             /* borrowed, may be NULL */
        MrBuf path;               /* of what is being decoded */
        unsigned inherited;       /* flags of the fields above it: told already */
        const MrField **reported; /* rows whose flags were reported already: each is named once */
        size_t n_reported, allocated_reported;
} Decoder;

/* That a written field has no effect yet, or is deprecated. */
void warn_flags(Decoder *decoder, const MrField *field, const MrTree *map, size_t at);
/* That keys of the map are no fields, with the field that was probably meant. */
void warn_unknown(Decoder *decoder, const MrField *fields, const MrTree *map);
