/** What a shard's server is told: its ports, who may ask, and which servers are the cluster. The same blocks serve a server of your own. */

const xml = (text) => String(text).replace(/[<>&]/g, (sign) => `&#${sign.charCodeAt(0)};`);

const shardXml = ({ port, user, password }) =>
  `      <shard><replica><host>127.0.0.1</host><port>${port}</port><user>${xml(user)}</user><password>${xml(password)}</password></replica></shard>`;

export const configXml = ({ httpPort, tcpPort }, usersFile, { name, shards }) => `<clickhouse>
  <listen_host>127.0.0.1</listen_host>
  <http_port>${httpPort}</http_port>
  <tcp_port>${tcpPort}</tcp_port>
  <max_server_memory_usage>2500000000</max_server_memory_usage>
  <storage_configuration><disks><default><keep_free_space_bytes>67108864</keep_free_space_bytes></default></disks></storage_configuration>
  <send_crash_reports><enabled>false</enabled></send_crash_reports>
  <users_config>${xml(usersFile)}</users_config>
  <remote_servers>
    <${name}>
${shards.map(shardXml).join('\n')}
    </${name}>
  </remote_servers>
</clickhouse>
`;

const network = '<networks><ip>127.0.0.1</ip><ip>::1</ip></networks><profile>default</profile><quota>default</quota>';

// The engine's own session is "default" without a password: it may keep the server listening and nothing else.
export const usersXml = (user, digest) => `<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password></password>${network}
      <grants><query>GRANT SYSTEM LISTEN ON *.*</query><query>GRANT SELECT ON system.numbers</query></grants>
    </default>
    <${user}><password_sha256_hex>${digest}</password_sha256_hex>${network}</${user}>
  </users>
</clickhouse>
`;
