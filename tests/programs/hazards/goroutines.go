// Goroutines make files while another one reads the mask by writing it, and a shell makes one more.
// Arguments: a directory, and how many files each of four makes.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
)

func makeFiles(top string, name, count int) {
	for i := 0; i < count; i++ {
		path := filepath.Join(top, fmt.Sprintf("%d-%d", name, i))
		file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0666)
		if err != nil {
			panic(err)
		}
		file.Close()
	}
}

func toggleMask(over *atomic.Bool) {
	for !over.Load() {
		old := syscall.Umask(0)
		syscall.Umask(old)
	}
}

func main() {
	top := filepath.Join(os.Args[1], "made")
	count, _ := strconv.Atoi(os.Args[2])
	syscall.Umask(022)
	if err := os.MkdirAll(top, 0777); err != nil {
		panic(err)
	}
	var over atomic.Bool
	var toggler, makers sync.WaitGroup
	toggler.Add(1)
	go func() { toggleMask(&over); toggler.Done() }()
	for name := 0; name < 4; name++ {
		makers.Add(1)
		go func(name int) { makeFiles(top, name, count); makers.Done() }(name)
	}
	makers.Wait()
	over.Store(true)
	toggler.Wait()
	if err := exec.Command("sh", "-c", "umask 027; echo x > "+top+"/of-shell").Run(); err != nil {
		panic(err)
	}
}
