package testkafka

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// orphanDir names, in the environment of a copy of this test, the folder in which it starts a broker.
const orphanDir = "TESTKAFKA_ORPHAN_DIR"

// orphan starts a broker and waits to be killed.
func orphan(dir string) {
	if _, err := Start(context.Background(), Kit{Java: filepath.Join(dir, "java")}, Options{Dir: dir}); err != nil {
		panic(err)
	}
	os.Stdout.WriteString("up\n")
	<-make(chan struct{})
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(orphanDir); dir != "" {
		orphan(dir)
	}
	goleak.VerifyTestMain(m)
}
