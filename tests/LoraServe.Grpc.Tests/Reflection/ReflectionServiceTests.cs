using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;
using V1Alpha = Grpc.Reflection.V1Alpha;

namespace LoraServe.Grpc.Tests.Reflection;

public sealed class ReflectionServiceTests
{
    [Fact]
    public async Task ListServices_AllMapped_AreListed()
    {
        ServerReflectionResponse answer = await AskAsync(new ServerReflectionRequest { ListServices = "*" });
        Assert.Equal(
            ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection", "loraserve.testing.Echo"],
            answer.ListServicesResponse.Service.Select(service => service.Name));
    }

    [Theory]
    [InlineData("loraserve.testing.Echo")]
    [InlineData("loraserve.testing.Echo.Talk")]
    [InlineData("loraserve.testing.EchoRequest")]
    [InlineData("loraserve.testing.EchoReply.index")]
    public async Task Symbol_Known_GivesItsFileWithImports(string symbol)
    {
        ServerReflectionResponse answer = await AskAsync(new ServerReflectionRequest { FileContainingSymbol = symbol });
        Assert.Equal(["echo.proto", "extensions.proto", "google/protobuf/descriptor.proto"], Files(answer));
    }

    [Theory]
    [InlineData("grpc.health.v1.HealthCheckResponse.ServingStatus")]
    [InlineData("grpc.health.v1.HealthCheckResponse.SERVING")]
    public async Task Symbol_InsideAMessage_IsFound(string symbol) =>
        Assert.Equal(["grpc/health/v1/health.proto"], Files(await AskAsync(new ServerReflectionRequest { FileContainingSymbol = symbol })));

    [Fact]
    public async Task FileAndExtension_Known_AreGiven()
    {
        Assert.Equal("echo.proto", Files(await AskAsync(new ServerReflectionRequest { FileByFilename = "echo.proto" }))[0]);
        var extension = new ExtensionRequest { ContainingType = "google.protobuf.MethodOptions", ExtensionNumber = 50123 };
        Assert.Equal("extensions.proto", Files(await AskAsync(new ServerReflectionRequest { FileContainingExtension = extension }))[0]);
        ServerReflectionResponse numbers = await AskAsync(new ServerReflectionRequest { AllExtensionNumbersOfType = "google.protobuf.MethodOptions" });
        Assert.Equal([50123], numbers.AllExtensionNumbersResponse.ExtensionNumber);
        ServerReflectionResponse none = await AskAsync(new ServerReflectionRequest { AllExtensionNumbersOfType = "loraserve.testing.EchoReply" });
        Assert.Empty(none.AllExtensionNumbersResponse.ExtensionNumber);
    }

    [Fact]
    public async Task Anything_Unknown_IsAnErrorThatLeavesTheStreamOpen()
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using var call = new ServerReflection.ServerReflectionClient(server.Channel()).ServerReflectionInfo();
        foreach (ServerReflectionRequest request in (ServerReflectionRequest[])[
            new() { FileByFilename = "no.proto" },
            new() { FileContainingSymbol = "no.Symbol" },
            new() { AllExtensionNumbersOfType = "no.Type" },
            new() { FileContainingExtension = new ExtensionRequest { ContainingType = "google.protobuf.MethodOptions", ExtensionNumber = 1 } }])
        {
            request.Host = "h";
            await call.RequestStream.WriteAsync(request);
            Assert.True(await call.ResponseStream.MoveNext(default));
            Assert.Equal((int)StatusCode.NotFound, call.ResponseStream.Current.ErrorResponse.ErrorCode);
            Assert.Equal(request, call.ResponseStream.Current.OriginalRequest);
            Assert.Equal("h", call.ResponseStream.Current.ValidHost);
        }

        await call.RequestStream.WriteAsync(new ServerReflectionRequest());
        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.Equal((int)StatusCode.InvalidArgument, call.ResponseStream.Current.ErrorResponse.ErrorCode);
    }

    [Fact]
    public async Task V1Alpha_SameQuestion_GivesTheSameAnswer()
    {
        var request = new ServerReflectionRequest { FileContainingSymbol = "loraserve.testing.Echo" };
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using var call = new V1Alpha.ServerReflection.ServerReflectionClient(server.Channel()).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(V1Alpha.ServerReflectionRequest.Parser.ParseFrom(request.ToByteArray()));
        Assert.True(await call.ResponseStream.MoveNext(default));
        Assert.Equal((await AskAsync(request)).ToByteArray(), call.ResponseStream.Current.ToByteArray());
    }

    private static async Task<ServerReflectionResponse> AskAsync(ServerReflectionRequest request)
    {
        await using GrpcTestServer server = await GrpcTestServer.StartAsync();
        using var call = new ServerReflection.ServerReflectionClient(server.Channel()).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(request);
        await call.RequestStream.CompleteAsync();
        Assert.True(await call.ResponseStream.MoveNext(default));
        return call.ResponseStream.Current;
    }

    private static List<string> Files(ServerReflectionResponse answer) =>
        [.. answer.FileDescriptorResponse.FileDescriptorProto.Select(bytes => FileDescriptorProto.Parser.ParseFrom(bytes).Name)];
}
