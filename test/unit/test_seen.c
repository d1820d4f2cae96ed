/*
 * test_seen.c
 *
 * What a connection shows of certificates, addresses and headers: against
 * openssl s_server with every kind of certificate that a relay may have.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/x509_vfy.h>

#include "../../src/net/ws.h"
#include "netcheck.h"

static char dir[] = "/tmp/bigbrotr-seen-XXXXXX";
static uv_loop_t loop;
static NetFailure failure;

static void
sh(const char *format,...)
{
	char		cmd[2000];
	va_list		ap;
	int			n = snprintf(cmd, sizeof(cmd), "cd %s && { ", dir);

	va_start(ap, format);
	n += vsnprintf(cmd + n, sizeof(cmd) - n, format, ap);
	va_end(ap);
	snprintf(cmd + n, sizeof(cmd) - n, "; } >>log 2>&1");
	CHECK(system(cmd) == 0);
}

/* name.crt and name.key, signed by issuer with these extensions. */
static void
certificate(const char *name, const char *issuer, int days, const char *extensions)
{
	sh("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/O=Org %s/CN=cn-%s' "
	   "-keyout %s.key -out %s.csr && printf '%s\\n' >ext && "
	   "openssl x509 -req -in %s.csr -CA %s.crt -CAkey %s.key -set_serial 0x0ABC -days %d -extfile ext -out %s.crt",
	   name, name, name, name, extensions, name, issuer, issuer, days, name);
}

static void
certificates(void)
{
	const char *san = "subjectAltName=IP:127.0.0.1,DNS:relay.example.org,IP:::1";

	sh("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
	   "-subj '/O=Test CA/CN=ca' -keyout ca.key -out ca.crt");
	certificate("valid", "ca", 2, san);
	certificate("expired", "ca", -1, san);
	certificate("wrong", "ca", 2, "subjectAltName=IP:127.0.0.2");
	certificate("middle", "ca", 2, "basicConstraints=critical,CA:TRUE");
	certificate("leaf", "middle", 2, san);
	sh("cp leaf.crt chain.crt && cp leaf.key chain.key");
	sh("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
	   "-subj /CN=self -addext subjectAltName=IP:127.0.0.1 -keyout self.key -out self.crt");
}

/* Starts a server with that certificate; its process id and port. */
static pid_t
serve(const char *name, const char *option, int *port)
{
	char		out[300];
	char		crt[300];
	char		key[300];
	char		middle[300];
	char		line[100] = "";
	pid_t		pid;

	snprintf(out, sizeof(out), "%s/%s.out", dir, name);
	snprintf(crt, sizeof(crt), "%s/%s.crt", dir, name);
	snprintf(key, sizeof(key), "%s/%s.key", dir, name);
	snprintf(middle, sizeof(middle), "%s/middle.crt", dir);
	unlink(out);
	pid = fork();
	if (pid == 0)
	{
		if (freopen(out, "w", stdout) == NULL || freopen("/dev/null", "r", stdin) == NULL ||
			freopen("/dev/null", "w", stderr) == NULL)
			_exit(1);
		execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-www",
			   "-cert", crt, "-key", key, option,
			   strcmp(name, "chain") == 0 ? "-cert_chain" : NULL, middle, (char *) NULL);
		_exit(1);
	}
	*port = 0;
	for (int i = 0; i < 500 && *port == 0; i++)
	{
		FILE	   *f = fopen(out, "r");

		while (f != NULL && fgets(line, sizeof(line), f) != NULL)
			sscanf(line, "ACCEPT 127.0.0.1:%d", port);
		if (f != NULL)
			fclose(f);
		usleep(10000);
	}
	CHECK(*port != 0);
	return pid;
}

/* Connects once to a server with that certificate. */
static void
look(const char *name, const char *option, bool insecure, NetSeen *seen)
{
	char		text[64];
	NetConfig	config;
	Net		   *net;
	int			port;
	pid_t		pid = serve(name, option, &port);

	netcheck_config(&config, 10000);
	snprintf(config.ca_file, sizeof(config.ca_file), "%s/ca.crt", dir);
	config.insecure_tls = insecure;
	net = netcheck_open(&loop, &config);
	snprintf(text, sizeof(text), "wss://127.0.0.1:%d", port);
	seen_init(seen);
	failure = netcheck_look(&loop, net, netcheck_url(text), seen).failure;
	net_close(net);
	uv_run(&loop, UV_RUN_DEFAULT);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

static void
valid(void)
{
	NetSeen		s;

	look("valid", "-tls1_3", false, &s);
	CHECK(failure == NET_HTTP_STATUS && s.http_status == 200);
	CHECK(s.has_address && !s.address.v6 && s.address.bytes[0] == 127);
	CHECK(s.tls.certificate && s.tls.verdict == X509_V_OK);
	CHECK_STR(s.tls.subject_cn, "cn-valid");
	CHECK_STR(s.tls.issuer, "Test CA");
	CHECK_STR(s.tls.issuer_cn, "ca");
	CHECK_STR(s.tls.serial, "ABC");
	CHECK(s.tls.version == 2 && s.tls.chain_length == 1);
	CHECK(s.tls.not_after - s.tls.not_before == 2 * 86400);
	CHECK_STR(s.tls.protocol, "TLSv1.3");
	CHECK(s.tls.cipher_bits >= 128 && s.tls.cipher[0] != '\0');
	CHECK(s.tls.n_san == 3);
	CHECK_STR((char *) s.tls.san.data, "127.0.0.1");
	CHECK_STR((char *) s.tls.san.data + 10, "relay.example.org");
	CHECK_STR((char *) s.tls.san.data + 28, "::1");
	seen_free(&s);

	look("chain", "-tls1_3", false, &s);
	CHECK(failure == NET_HTTP_STATUS && s.tls.verdict == X509_V_OK);
	CHECK(s.tls.chain_length == 2);
	seen_free(&s);

	look("valid", "-tls1_2", false, &s);
	CHECK(s.tls.verdict == X509_V_OK);
	CHECK_STR(s.tls.protocol, "TLSv1.2");
	seen_free(&s);
}

/* Refused, but seen; and seen the same when the setting lets it pass. */
static void
invalid(const char *name, int verdict, const char *subject_cn)
{
	NetSeen		s;

	look(name, "-tls1_3", false, &s);
	CHECK(failure == NET_TLS_CERTIFICATE && s.http_status == 0);
	CHECK(s.tls.certificate && s.tls.verdict == verdict);
	CHECK(s.tls.verdict_text[0] != '\0');
	CHECK_STR(s.tls.subject_cn, subject_cn);
	CHECK_STR(s.tls.protocol, "");
	seen_free(&s);

	look(name, "-tls1_3", true, &s);
	CHECK(failure == NET_HTTP_STATUS && s.http_status == 200);
	CHECK(s.tls.verdict == verdict);
	CHECK_STR(s.tls.subject_cn, subject_cn);
	CHECK_STR(s.tls.protocol, "TLSv1.3");
	seen_free(&s);
}

int
main(void)
{
	CHECK(mkdtemp(dir) != NULL);
	uv_loop_init(&loop);
	certificates();
	valid();
	invalid("expired", X509_V_ERR_CERT_HAS_EXPIRED, "cn-expired");
	invalid("wrong", X509_V_ERR_IP_ADDRESS_MISMATCH, "cn-wrong");
	invalid("self", X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "self");
	invalid("leaf", X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "cn-leaf");
	uv_loop_close(&loop);
	sh("cd / && rm -r %s", dir);
	return check_done();
}
