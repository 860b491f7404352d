// Found by: does not compile by itself
inline int twice(int n) { return n * 2; }
