#!/bin/bash
# Shapes whose nodes are controllers and brokers in one: see shapes.sh.
# long
MILLRACE_SHAPES=combined exec "$(dirname "$0")/shapes.sh"
