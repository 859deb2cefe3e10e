using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;
using LoraServe.Grpc.Server;

namespace LoraServe.Grpc.Reflection;

/// <summary>Server reflection, version 1.</summary>
internal sealed class ReflectionService(GrpcServer server) : ServerReflection.ServerReflectionBase
{
    // At the first question all services are mapped.
    private readonly Lazy<DescriptorIndex> _index = new(() => DescriptorIndex.Of(server.ServiceTypes));

    public override async Task ServerReflectionInfo(IAsyncStreamReader<ServerReflectionRequest> requestStream, IServerStreamWriter<ServerReflectionResponse> responseStream, ServerCallContext context)
    {
        await foreach (ServerReflectionRequest request in requestStream.ReadAllAsync().ConfigureAwait(false))
        {
            await responseStream.WriteAsync(Answer(request)).ConfigureAwait(false);
        }
    }

    public ServerReflectionResponse Answer(ServerReflectionRequest request)
    {
        DescriptorIndex index = _index.Value;
        ServerReflectionResponse response = request.MessageRequestCase switch
        {
            ServerReflectionRequest.MessageRequestOneofCase.ListServices => ListServices(index),
            ServerReflectionRequest.MessageRequestOneofCase.FileByFilename =>
                File(index.FileByName(request.FileByFilename), $"There is no proto file '{request.FileByFilename}'."),
            ServerReflectionRequest.MessageRequestOneofCase.FileContainingSymbol =>
                File(index.FileOfSymbol(request.FileContainingSymbol), $"There is no symbol '{request.FileContainingSymbol}'."),
            ServerReflectionRequest.MessageRequestOneofCase.FileContainingExtension =>
                File(
                    index.FileOfExtension(request.FileContainingExtension.ContainingType, request.FileContainingExtension.ExtensionNumber),
                    $"There is no extension {request.FileContainingExtension.ExtensionNumber} of '{request.FileContainingExtension.ContainingType}'."),
            ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType => ExtensionNumbers(index, request.AllExtensionNumbersOfType),
            _ => Error(StatusCode.InvalidArgument, "The request asks nothing; set one field of message_request."),
        };
        response.ValidHost = request.Host;
        response.OriginalRequest = request;
        return response;
    }

    private static ServerReflectionResponse ListServices(DescriptorIndex index)
    {
        var list = new ListServiceResponse();
        list.Service.AddRange(index.Services.Select(name => new ServiceResponse { Name = name }));
        return new ServerReflectionResponse { ListServicesResponse = list };
    }

    private static ServerReflectionResponse File(FileDescriptor? file, string notFound)
    {
        if (file is null)
        {
            return Error(StatusCode.NotFound, notFound);
        }

        var files = new FileDescriptorResponse();
        files.FileDescriptorProto.AddRange(DescriptorIndex.WithImports(file).Select(each => each.SerializedData));
        return new ServerReflectionResponse { FileDescriptorResponse = files };
    }

    private static ServerReflectionResponse ExtensionNumbers(DescriptorIndex index, string type)
    {
        if (index.ExtensionNumbers(type) is not { } numbers)
        {
            return Error(StatusCode.NotFound, $"There is no message type '{type}'.");
        }

        var response = new ExtensionNumberResponse { BaseTypeName = type };
        response.ExtensionNumber.AddRange(numbers);
        return new ServerReflectionResponse { AllExtensionNumbersResponse = response };
    }

    private static ServerReflectionResponse Error(StatusCode code, string message) =>
        new() { ErrorResponse = new ErrorResponse { ErrorCode = (int)code, ErrorMessage = message } };
}
