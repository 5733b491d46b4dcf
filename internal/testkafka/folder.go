package testkafka

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A broker's folder:
//
//	lock               held by whoever uses the folder, and by the broker itself
//	log                what the broker printed, over all its starts
//	server.properties
//	log4j2.properties
//	data/              topics; formatted as `kafka-storage format` does
//	pid                process id and address of the broker, if it runs

// prepare writes the broker's configuration, and formats its data unless that was done before.
func prepare(dir string, port, controller int, extra map[string]string) error {
	static, err := files.ReadFile("kafka/server.properties")
	if err != nil {
		return fmt.Errorf("testkafka: %w", err)
	}
	log4j, err := files.ReadFile("kafka/log4j2.properties")
	if err != nil {
		return fmt.Errorf("testkafka: %w", err)
	}
	data := filepath.Join(dir, "data")
	conf := properties(string(static), data, port, controller, extra)
	for name, content := range map[string][]byte{"server.properties": []byte(conf), "log4j2.properties": log4j} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return fmt.Errorf("testkafka: cannot configure a broker: %w", err)
		}
	}
	return format(data)
}

// properties completes the configuration. Of two lines with one key the later one wins.
func properties(static, data string, port, controller int, extra map[string]string) string {
	var b strings.Builder
	b.WriteString(static)
	fmt.Fprintf(&b, "\nlisteners=PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d\n", port, controller)
	fmt.Fprintf(&b, "advertised.listeners=PLAINTEXT://127.0.0.1:%d\n", port)
	fmt.Fprintf(&b, "controller.quorum.voters=1@127.0.0.1:%d\n", controller)
	fmt.Fprintf(&b, "log.dirs=%s\n", data)
	for _, k := range slices.Sorted(maps.Keys(extra)) {
		fmt.Fprintf(&b, "%s=%s\n", k, extra[k])
	}
	return b.String()
}

// format writes the two files that `kafka-storage format` writes, without starting a Java for it: the ids, and the
// feature levels of a new cluster (transaction.version=2 among them), which do not depend on the ids.
func format(data string) error {
	meta := filepath.Join(data, "meta.properties")
	if _, err := os.Stat(meta); err == nil {
		return nil
	}
	features, err := files.ReadFile("kafka/bootstrap.checkpoint")
	if err != nil {
		return fmt.Errorf("testkafka: %w", err)
	}
	if err := os.MkdirAll(data, 0o755); err != nil {
		return fmt.Errorf("testkafka: cannot format: %w", err)
	}
	if err := os.WriteFile(filepath.Join(data, "bootstrap.checkpoint"), features, 0o644); err != nil {
		return fmt.Errorf("testkafka: cannot format: %w", err)
	}
	ids := fmt.Sprintf("version=1\ncluster.id=%s\nnode.id=1\ndirectory.id=%s\n", newUUID(), newUUID())
	if err := os.WriteFile(meta, []byte(ids), 0o644); err != nil {
		return fmt.Errorf("testkafka: cannot format: %w", err)
	}
	return nil
}

// newUUID returns a random id as Kafka writes them. One that begins with a dash is refused by some of its tools.
func newUUID() string {
	var id [16]byte
	for {
		rand.Read(id[:])
		if s := base64.RawURLEncoding.EncodeToString(id[:]); s[0] != '-' {
			return s
		}
	}
}

// freePorts returns n ports that were free a moment ago. Another process may take one before the broker does.
func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("testkafka: no free port: %w", err)
		}
		defer l.Close() // after the loop, so that no port is given twice
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports, nil
}
