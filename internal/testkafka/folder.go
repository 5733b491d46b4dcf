package testkafka

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A broker's folder:
//
//	lock               held by whoever uses the folder, and by the broker itself
//	log                what the broker printed, over all its starts
//	server.properties
//	log4j2.properties  and log4j.properties, for versions before 4
//	data/              topics; formatted as `kafka-storage format` does
//	pid                process id and address of the broker, if it runs

// prepare writes the broker's configuration and files, and formats its data unless that was done before.
func (b *Broker) prepare(ctx context.Context) error {
	data := filepath.Join(b.dir, "data")
	content := map[string][]byte{}
	for _, name := range []string{"server.properties", "log4j2.properties", "log4j.properties"} {
		raw, err := files.ReadFile("kafka/" + name)
		if err != nil {
			return fmt.Errorf("testkafka: %w", err)
		}
		content[name] = raw
	}
	conf := properties(string(content["server.properties"]), data, b.port, b.controller, b.node(), b.opts.Properties)
	content["server.properties"] = []byte(conf)
	maps.Copy(content, b.opts.Files)
	for name, raw := range content {
		if err := os.WriteFile(filepath.Join(b.dir, name), raw, 0o644); err != nil {
			return fmt.Errorf("testkafka: cannot configure a broker: %w", err)
		}
	}
	cluster := b.opts.ClusterID
	if cluster == "" {
		cluster = NewClusterID()
	}
	if v := b.kit.Version; v != "" && v != Version {
		return b.formatByTool(ctx, data, cluster)
	}
	return format(data, cluster, b.node())
}

// formatted reports whether a folder holds a broker's data, which formatting would make another cluster's.
func formatted(data string) bool {
	_, err := os.Stat(filepath.Join(data, "meta.properties"))
	return err == nil
}

func (b *Broker) node() int { return max(1, b.opts.Node) }

// Properties returns the settings that make a broker one for tests: quick to start, small, and strict. Addresses and the
// node id are not among them.
func Properties() map[string]string {
	static, err := files.ReadFile("kafka/server.properties")
	if err != nil {
		panic("testkafka: the embedded settings are gone: " + err.Error())
	}
	settings := map[string]string{}
	for line := range strings.Lines(string(static)) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(k, "#") {
			settings[k] = v
		}
	}
	return settings
}

// properties completes the configuration. Of two lines with one key the later one wins.
func properties(static, data string, port, controller, node int, extra map[string]string) string {
	var b strings.Builder
	b.WriteString(static)
	fmt.Fprintf(&b, "\nnode.id=%d\n", node)
	fmt.Fprintf(&b, "listeners=PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d\n", port, controller)
	fmt.Fprintf(&b, "advertised.listeners=PLAINTEXT://127.0.0.1:%d\n", port)
	fmt.Fprintf(&b, "controller.quorum.voters=%d@127.0.0.1:%d\n", node, controller)
	fmt.Fprintf(&b, "log.dirs=%s\n", data)
	for _, k := range slices.Sorted(maps.Keys(extra)) {
		fmt.Fprintf(&b, "%s=%s\n", k, extra[k])
	}
	return b.String()
}

// format writes the two files that `kafka-storage format` of Version writes, unless they are there, without starting a Java for it: the ids,
// and the feature levels of a new cluster (transaction.version=2 among them), which do not depend on the ids.
func format(data, cluster string, node int) error {
	if formatted(data) {
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
	ids := fmt.Sprintf("version=1\ncluster.id=%s\nnode.id=%d\ndirectory.id=%s\n", cluster, node, NewClusterID())
	if err := os.WriteFile(filepath.Join(data, "meta.properties"), []byte(ids), 0o644); err != nil {
		return fmt.Errorf("testkafka: cannot format: %w", err)
	}
	return nil
}

// formatByTool has Kafka's own tool format the data: other versions begin with other feature levels.
func (b *Broker) formatByTool(ctx context.Context, data, cluster string) error {
	if formatted(data) {
		return nil
	}
	cmd := exec.CommandContext(ctx, b.kit.Java, "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
		"-cp", filepath.Join(b.kit.Libs, "*"), "kafka.tools.StorageTool", "format", "-t", cluster, "-c", "server.properties")
	cmd.Dir = b.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("testkafka: cannot format for Kafka %s: %w\n%s", b.kit.Version, err, lastLines(string(out), 10))
	}
	return nil
}

// NewClusterID returns a random id as Kafka writes them, for clusters and folders. One that begins with a dash is refused by some of its tools.
func NewClusterID() string {
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
