// Data that tests and pictures share: a pool in four zones, accounts that hold some of it, and clusters.

/** Names that would break a page which takes text for markup, or lets it grow. */
export const hostile = {
  zone: `<img src=x onerror="document.title='owned'">${'z'.repeat(150)}`,
  host: `\u202Eevil\u200F<script>document.title='owned'</script>`,
  notes: `"><svg onload=alert(1)>${'long'.repeat(50)}`,
  name: `<img src=x onerror=alert(1)>\u202E${'x'.repeat(90)}`, // a name has 128 characters at most,
}

const zones = [
  ['us-east', 'proxy1.east.example.com', '192.0.2.0/26'],
  ['us-east', 'proxy2.east.example.com', '198.51.100.0/27'],
  ['us-west', 'proxy1.west.example.com', '203.0.113.0/27'],
  ['eu-central', 'proxy1.eu.example.com', '203.0.113.64/28'],
  ['ap-southeast', 'proxy1.ap.example.com', '2001:db8:a::/125'],
]

const customers = [
  ['Acme Telecom', 'acme.example.com', [['us-east', 21], ['us-west', 8]]],
  ['Borealis Voice', 'borealis.example.net', [['us-east', 14], ['eu-central', 13]]],
  ['Cobalt Contact Centers', 'cobalt.example.org', [['us-west', 6]]],
  ['Dune Hotels', 'dune.example.com', [['ap-southeast', 3]]],
  ['Elm Street Clinic', 'elm.example.com', []],
]

export const clusterId = 'c0ffee00c0ffee00c0ffee00c0ffee00'

/** Fills a server, and returns its accounts by name. */
export async function seed(server) {
  await server.api('PUT', 'ips', { ips: zones.map(([zone, host, cidr]) => ({ zone, host, cidr })) })
  const accounts = {}
  for (const [name, realm, wishes] of customers) {
    const account = (accounts[name] = server.account(name, realm))
    for (const [zone, quantity] of wishes) await server.api('POST', `accounts/${account.id}/ips`, { quantity, zone })
  }
  await server.api('PUT', `routing/customer_clusters/${clusterId}`, {
    owner: 'Acme Telecom', name: 'Acme East and West', ips: {
      inbound: { 'us-east': ['192.0.2.10', '192.0.2.11'], 'us-west': ['203.0.113.5'] },
      outbound: { 'us-east': ['198.51.100.3'], 'us-west': ['203.0.113.6', '203.0.113.7'] },
    },
  })
  await server.api('PUT', 'routing/customer_clusters/beefbeefbeefbeefbeefbeefbeefbeef', {
    owner: 'Borealis Voice', name: 'Borealis EU', randomize_routing: true, ips: {
      inbound: { 'eu-central': ['203.0.113.66'] }, outbound: { 'eu-central': ['203.0.113.67'] },
    },
  })
  return accounts
}
