// A gRPC client made of @grpc/grpc-js and @grpc/proto-loader, with the same input and output as ../python/call.py.
//
// usage: NODE_PATH=.../node_modules node call.js ADDRESS DESCRIPTOR_SET < calls.json
'use strict';

const fs = require('fs');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [address, descriptorSet] = process.argv.slice(2);
const definitions = loader.loadFileDescriptorSetFromBuffer(
  fs.readFileSync(descriptorSet), { keepCase: true, longs: String, enums: String, bytes: String, defaults: true, oneofs: true });
const root = grpc.loadPackageDefinition(definitions);
const gzip = 2;

function toMetadata(entries) {
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries(entries ?? {})) {
    metadata.add(key, key.endsWith('-bin') ? Buffer.from(value, 'base64') : value);
  }
  return metadata;
}

function fromMetadata(metadata) {
  return Object.fromEntries(Object.entries(metadata?.getMap() ?? {})
    .map(([key, value]) => [key, Buffer.isBuffer(value) ? value.toString('base64') : value]));
}

function run(call) {
  const [service, method] = call.method.split('/');
  const Client = service.split('.').reduce((scope, name) => scope[name], root);
  const { requestStream, responseStream } = Client.service[method];
  const client = new Client(address, grpc.credentials.createInsecure(),
    { 'grpc.enable_http_proxy': 0, ...(call.gzip ? { 'grpc.default_compression_algorithm': gzip } : {}) });
  const options = call.timeout_s === undefined ? {} : { deadline: Date.now() + 1000 * call.timeout_s };
  const outcome = { responses: [], headers: {} };

  return new Promise((resolve) => {
    const take = (response) => {
      outcome.responses.push(response);
      if (call.cancel_after === outcome.responses.length) {
        running.cancel();
      }
    };
    const last = (error, response) => { if (!error) { take(response); } };
    const metadata = toMetadata(call.metadata);
    const running =
      requestStream && responseStream ? client[method](metadata, options)
        : requestStream ? client[method](metadata, options, last)
          : responseStream ? client[method](call.requests[0], metadata, options)
            : client[method](call.requests[0], metadata, options, last);
    running.on('metadata', (headers) => { outcome.headers = fromMetadata(headers); });
    running.on('error', () => {});
    if (responseStream) {
      running.on('data', take);
    }
    running.on('status', (status) => {
      // The last message of a call with one response arrives with its status.
      setImmediate(() => {
        client.close();
        resolve({ code: grpc.status[status.code], details: status.details === 'OK' ? '' : status.details, ...outcome, trailers: fromMetadata(status.metadata) });
      });
    });
    if (requestStream) {
      call.requests.forEach((request) => running.write(request));
      running.end();
    }
  });
}

async function main() {
  const outcomes = [];
  for (const call of JSON.parse(fs.readFileSync(0, 'utf8'))) {
    outcomes.push(await run(call));
  }
  console.log(JSON.stringify(outcomes));
}

main();
