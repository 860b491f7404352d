// Found by: includes a hosted header
#pragma once

#include <vector>
