using Google.Protobuf;
using Google.Protobuf.Reflection;
using LoraServe.Grpc.Wire;

namespace Grpc.Core;

/// <summary>Statuses with details for programs, in the form of google.rpc.Status.</summary>
public static class RpcStatusExtensions
{
    /// <summary>The exception that ends a call with this status and its details.</summary>
    public static RpcException ToRpcException(this Google.Rpc.Status status)
    {
        ArgumentNullException.ThrowIfNull(status);
        var trailers = new Metadata { { GrpcProtocol.StatusDetailsHeader, status.ToByteArray() } };
        return new RpcException(new Status((StatusCode)status.Code, status.Message), trailers);
    }

    /// <summary>The first detail of a type, or null.</summary>
    /// <typeparam name="T">The message type of the detail.</typeparam>
    /// <exception cref="InvalidProtocolBufferException">The detail is of this type, and its bytes are not.</exception>
    public static T? GetDetail<T>(this Google.Rpc.Status status)
        where T : class, IMessage<T>, new()
    {
        ArgumentNullException.ThrowIfNull(status);
        MessageDescriptor type = new T().Descriptor;
        return status.Details.FirstOrDefault(detail => detail.Is(type))?.Unpack<T>();
    }

    /// <summary>The status with details that a failed call came with; null when it has none that can be read.</summary>
    public static Google.Rpc.Status? GetRpcStatus(this RpcException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        if (exception.Trailers.GetValueBytes(GrpcProtocol.StatusDetailsHeader) is not { } bytes)
        {
            return null;
        }

        try
        {
            return Google.Rpc.Status.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
