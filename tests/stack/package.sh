# What the scripts of both packages share; sourced after lib.sh. $package is the one under test.

# Built elsewhere, under another umask and at another time, as the package of the distribution. The copy of the sources stays.
same_bytes() { # deb|rpm
        local copy=$scratch/elsewhere/millrace
        mkdir -p "$copy"
        tar -C "$MILLRACE_REPOSITORY" --exclude='./build*' --exclude=./.git -cf - . | tar -C "$copy" -xf -
        (umask 077; "$copy/packaging/build" "$scratch/packages") && cmp "$package" "$scratch"/packages/*."$1"
}
