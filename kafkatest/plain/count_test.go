package plain

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-streams/millrace"
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// startKafka starts a Kafka in a container, which ends with the test, and returns its address.
func startKafka(t *testing.T, image string) string {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.MustParseAddrPort(free.Addr().String()) // a broker must know beforehand how clients will find it
	free.Close()
	kafka, err := testcontainers.Run(t.Context(), image,
		testcontainers.WithExposedPorts("9092/tcp"),
		testcontainers.WithHostConfigModifier(func(host *container.HostConfig) {
			host.PortBindings = network.PortMap{network.MustParsePort("9092/tcp"): {{HostIP: addr.Addr(), HostPort: fmt.Sprint(addr.Port())}}}
		}),
		testcontainers.WithEnv(map[string]string{
			"KAFKA_NODE_ID":                                  "1",
			"KAFKA_PROCESS_ROLES":                            "broker,controller",
			"KAFKA_LISTENERS":                                "CLIENT://:9092,BROKER://:9094,CONTROLLER://:9093",
			"KAFKA_ADVERTISED_LISTENERS":                     "CLIENT://" + addr.String() + ",BROKER://localhost:9094",
			"KAFKA_LISTENER_SECURITY_PROTOCOL_MAP":           "CLIENT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
			"KAFKA_INTER_BROKER_LISTENER_NAME":               "BROKER",
			"KAFKA_CONTROLLER_LISTENER_NAMES":                "CONTROLLER",
			"KAFKA_CONTROLLER_QUORUM_VOTERS":                 "1@localhost:9093",
			"KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR":         "1",
			"KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
			"KAFKA_TRANSACTION_STATE_LOG_MIN_ISR":            "1",
			"KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS":             "5", // all are made by the first transaction
			"KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS":     "5",
			"KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS":         "0",
		}),
		testcontainers.WithWaitStrategy(wait.ForLog("Kafka Server started").WithStartupTimeout(2*time.Minute)))
	testcontainers.CleanupContainer(t, kafka)
	if err != nil {
		t.Fatal(err)
	}
	return addr.String()
}

func TestOrdersAreCountedOnPlainTestcontainers(t *testing.T) {
	t.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true") // its image need not be there; the test removes its container itself
	image, required := os.Getenv("KAFKA_IMAGE"), os.Getenv("MILLRACE_REQUIRE_CONTAINERS")
	if required == "" || required == "0" {
		if image == "" {
			t.Skip("KAFKA_IMAGE names no image, as apache/kafka:4.3.1, and none need be there to be pulled")
		}
		testcontainers.SkipIfProviderIsNotHealthy(t)
	}
	if image == "" {
		image = "apache/kafka:4.3.1"
	}
	addr := startKafka(t, image)
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumeTopics("counts"), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := kadm.NewClient(client).CreateTopics(t.Context(), 4, 1, nil, "orders", "counts"); err != nil {
		t.Fatal(err)
	}

	b := topology.NewBuilder()
	kstream.From(b, topology.NewTopic("orders", serde.String, serde.String)).
		GroupByKey().Count("orders-by-customer").To(topology.NewTopic("counts", serde.String, serde.Int64))
	app, err := millrace.New(topology.Must(b.Build()), millrace.Config{ApplicationID: "counter", Brokers: []string{addr}, StateDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()

	order := &kgo.Record{Topic: "orders", Key: []byte("ann"), Value: []byte("tea")}
	if err := client.ProduceSync(t.Context(), order).FirstErr(); err != nil {
		t.Fatal(err)
	}
	patient, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for patient.Err() == nil {
		for r := range client.PollFetches(patient).RecordsAll() {
			if string(r.Key) == "ann" && binary.BigEndian.Uint64(r.Value) == 1 {
				return // it was counted
			}
		}
	}
	t.Fatal("not counted within a minute")
}
