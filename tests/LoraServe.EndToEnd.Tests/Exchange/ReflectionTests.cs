using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Reflection.V1Alpha;
using LoraServe.EndToEnd.Tests.Setup;

namespace LoraServe.EndToEnd.Tests.Exchange;

/// <summary>What command-line clients ask before they call.</summary>
public class ReflectionTests
{
    [Fact]
    public async Task Reflection_OfTheServer_ListsItsServicesAndDescribesThem()
    {
        await using TestServer server = await TestServer.StartTinyAsync();
        using var channel = GrpcChannel.ForAddress(server.Host.Address);
        using AsyncDuplexStreamingCall<ServerReflectionRequest, ServerReflectionResponse> call = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo();
        ServerReflectionResponse list = await AskAsync(new ServerReflectionRequest { ListServices = "*" });
        Assert.Equal(
            ["grpc.health.v1.Health", "loraserve.v1.Adapters", "loraserve.v1.Inference", "loraserve.v1.Training"],
            list.ListServicesResponse.Service.Select(service => service.Name).Where(name => !name.StartsWith("grpc.reflection.", StringComparison.Ordinal)).Order());

        ServerReflectionResponse file = await AskAsync(new ServerReflectionRequest { FileContainingSymbol = "loraserve.v1.Training.Start" });
        Assert.Contains("loraserve/v1/training.proto", file.FileDescriptorResponse.FileDescriptorProto.Select(bytes => FileDescriptorProto.Parser.ParseFrom(bytes).Name));
        Assert.Equal((int)StatusCode.NotFound, (await AskAsync(new ServerReflectionRequest { FileContainingSymbol = "no.Symbol" })).ErrorResponse.ErrorCode);
        await call.RequestStream.CompleteAsync();

        async Task<ServerReflectionResponse> AskAsync(ServerReflectionRequest request)
        {
            await call.RequestStream.WriteAsync(request);
            Assert.True(await call.ResponseStream.MoveNext(default));
            return call.ResponseStream.Current;
        }
    }
}
