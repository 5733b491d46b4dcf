package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// The embedded Kafka is this program once more, as a process of its own: so the application can be killed with -9 like any
// other, and its Kafka lives to see it and ends in order, as a Kafka elsewhere would. It keeps its data in a directory.

// embeddedEnv names the directory to the process that is the Kafka.
const embeddedEnv = "WORDCOUNT_EMBEDDED_KAFKA"

// startEmbedded starts the Kafka of a directory; stop ends it.
func startEmbedded(dir string) (brokers []string, stop func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), embeddedEnv+"="+dir)
	cmd.Stderr = os.Stderr
	alive, err := cmd.StdinPipe() // closed when this process ends, however it ends
	if err != nil {
		return nil, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("embedded Kafka: %w", err)
	}
	stop = func() error {
		_ = alive.Close() // an error says that it has ended already
		return cmd.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, nil, fmt.Errorf("embedded Kafka in %s did not start: %w", dir, stop())
	}
	return strings.Split(strings.TrimSpace(line), ","), stop, nil
}

// beEmbedded is the Kafka: it tells where it listens, serves until its parent is gone, and closes.
func beEmbedded(dir string) error {
	signal.Ignore(os.Interrupt) // of the terminal: meant for the parent, which tells us by ending
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	running := filepath.Join(dir, "running")
	if err := awaitFormer(running); err != nil {
		return err
	}
	if err := os.WriteFile(running, []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		return err
	}
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DataDir(filepath.Join(dir, "data")))
	if err != nil {
		return err
	}
	fmt.Println(strings.Join(c.ListenAddrs(), ","))
	_, err = io.Copy(io.Discard, os.Stdin)
	c.Close()
	if e := os.Remove(running); err == nil {
		err = e
	}
	return err
}

// awaitFormer waits until an earlier Kafka of the directory has closed. One that was killed is not waited for.
func awaitFormer(running string) error {
	for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(20 * time.Millisecond) {
		data, err := os.ReadFile(running)
		if err != nil {
			return nil // none, or closed
		}
		pid, err := strconv.Atoi(string(data))
		if err != nil {
			continue // being written
		}
		if p, err := os.FindProcess(pid); err != nil || p.Signal(syscall.Signal(0)) != nil {
			return nil
		}
	}
	return fmt.Errorf("another wordcount uses %s: give this one a -state-dir of its own", filepath.Dir(running))
}
