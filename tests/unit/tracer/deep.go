// Calls umask(2) some calls deep, in a goroutine, and prints beforehand what its runtime knows of
// its stack.
package main

import (
	"os"
	"runtime"
	"strconv"
	"syscall"
)

//go:noinline
func leaf() {
	var callers [64]uintptr
	text := ""
	// Without Callers itself and leaf.
	for _, at := range callers[:runtime.Callers(2, callers[:])] {
		text += "return " + strconv.FormatUint(uint64(at), 16) + "\n"
	}
	os.Stdout.WriteString(text)
	syscall.Umask(0)
}

//go:noinline
func inner(more int) int {
	if more > 0 {
		return inner(more-1) + 1
	}
	leaf()
	return 0
}

func main() {
	done := make(chan int)
	go func() { done <- inner(20) }()
	<-done
}
