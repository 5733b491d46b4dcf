package testkafka

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

// Tool runs a command line tool of Kafka's distribution by its class, as org.apache.kafka.tools.AclCommand for kafka-acls.sh. Its
// jar, which no broker needs, is fetched by Maven when it is not there yet; it fails with *Missing where it cannot be had.
func (k Kit) Tool(ctx context.Context, class string, args ...string) error {
	jar, err := k.FetchTools(ctx)
	if err != nil {
		return err
	}
	path := filepath.Join(jar, "*") + string(filepath.ListSeparator) + filepath.Join(k.Libs, "*")
	java := append([]string{"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp", path, class}, args...)
	if out, err := exec.CommandContext(ctx, k.Java, java...).CombinedOutput(); err != nil {
		return fmt.Errorf("testkafka: %s %v: %w\n%s", class, args, err, lastLines(string(out), 25))
	}
	return nil
}

// FetchTools returns the folder that holds the jar of Tool, .kafka/tools-VERSION in the project: all else that it needs is among the
// jars of a broker.
func (k Kit) FetchTools(ctx context.Context) (string, error) {
	cache, err := jarCache()
	if err != nil {
		return "", err
	}
	version := k.Version
	if version == "" {
		version = Version
	}
	artifact := "org.apache.kafka:kafka-tools:" + version
	return kept(filepath.Join(cache, "tools-"+version), "artifact", []byte(artifact), func(work string) (string, error) {
		made := filepath.Join(work, "tools")
		return made, runMaven(ctx, work, "dependency:copy", "-Dartifact="+artifact, "-DoutputDirectory="+made)
	})
}
