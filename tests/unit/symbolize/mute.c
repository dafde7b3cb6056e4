/* A program that exports no function: once it is stripped, nothing in it has a name. */
int main(int count, char** words) { return words[count] != 0; }
