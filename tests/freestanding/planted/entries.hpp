// The entry points of a firmware, all of which come to planted().
#pragma once

void planted();

extern "C" {
void boot_restore() { planted(); }
void persist_interrupt() { planted(); }
void use() { planted(); }
}
