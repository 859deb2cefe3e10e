using Google.Protobuf;
using Grpc.Core;
using Grpc.Reflection.V1Alpha;

namespace LoraServe.Grpc.Reflection;

/// <summary>Server reflection under its older name, which command-line tools still ask for; its messages have the bytes of version 1.</summary>
internal sealed class ReflectionV1AlphaService(ReflectionService reflection) : ServerReflection.ServerReflectionBase
{
    public override async Task ServerReflectionInfo(IAsyncStreamReader<ServerReflectionRequest> requestStream, IServerStreamWriter<ServerReflectionResponse> responseStream, ServerCallContext context)
    {
        await foreach (ServerReflectionRequest request in requestStream.ReadAllAsync().ConfigureAwait(false))
        {
            var question = global::Grpc.Reflection.V1.ServerReflectionRequest.Parser.ParseFrom(request.ToByteArray());
            ByteString answer = reflection.Answer(question).ToByteString();
            await responseStream.WriteAsync(ServerReflectionResponse.Parser.ParseFrom(answer)).ConfigureAwait(false);
        }
    }
}
