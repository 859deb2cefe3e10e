"""A gRPC client made of Python's grpcio.

usage: call.py ADDRESS DESCRIPTOR_SET < calls.json

Reads a JSON array of calls and prints a JSON array of their outcomes:
call    {"method": "package.Service/Method", "requests": [...], "metadata": {...}, "timeout_s": N, "gzip": bool, "cancel_after": N}
outcome {"code": "OK", "details": "", "responses": [...], "headers": {...}, "trailers": {...}}
Messages are in protobuf's JSON form with the field names of the proto; values of "-bin" metadata are base64.
"""

import base64
import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory


def load(path):
    files = descriptor_pb2.FileDescriptorSet()
    with open(path, "rb") as file:
        files.ParseFromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


def message_class(pool, descriptor):
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


def to_metadata(entries):
    return [(key, base64.b64decode(value) if key.endswith("-bin") else value) for key, value in (entries or {}).items()]


def from_metadata(entries):
    return {key: base64.b64encode(value).decode() if isinstance(value, bytes) else value for key, value in (entries or [])}


def run(channel, pool, call):
    service_name, method_name = call["method"].split("/")
    method = pool.FindServiceByName(service_name).methods_by_name[method_name]
    sides = descriptor_pb2.MethodDescriptorProto()
    method.CopyToProto(sides)
    request_class = message_class(pool, method.input_type)
    response_class = message_class(pool, method.output_type)
    kind = ("stream" if sides.client_streaming else "unary") + "_" + ("stream" if sides.server_streaming else "unary")
    invoke = getattr(channel, kind)(
        "/" + call["method"], request_serializer=request_class.SerializeToString, response_deserializer=response_class.FromString)
    requests = [json_format.ParseDict(request, request_class()) for request in call["requests"]]
    options = {
        "metadata": to_metadata(call.get("metadata")),
        "timeout": call.get("timeout_s"),
        "compression": grpc.Compression.Gzip if call.get("gzip") else None,
    }
    argument = iter(requests) if sides.client_streaming else requests[0]
    responses = []
    running = invoke(argument, **options) if sides.server_streaming else invoke.future(argument, **options)
    try:
        for response in running if sides.server_streaming else [running.result()]:
            responses.append(json_format.MessageToDict(
                response, including_default_value_fields=True, preserving_proto_field_name=True))
            if call.get("cancel_after") == len(responses):
                running.cancel()
    except (grpc.RpcError, grpc.FutureCancelledError):
        pass
    return {
        "code": running.code().name,
        "details": running.details() or "",
        "responses": responses,
        "headers": from_metadata(running.initial_metadata()),
        "trailers": from_metadata(running.trailing_metadata()),
    }


def main():
    address, descriptor_set = sys.argv[1:3]
    pool = load(descriptor_set)
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        print(json.dumps([run(channel, pool, call) for call in json.load(sys.stdin)]))


main()
