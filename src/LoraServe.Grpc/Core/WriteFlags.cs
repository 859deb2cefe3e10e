namespace Grpc.Core;

/// <summary>How one message is written.</summary>
[Flags]
public enum WriteFlags
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>More messages follow at once, so this one need not be sent by itself.</summary>
    BufferHint = 1,

    /// <summary>This message is not worth compressing.</summary>
    NoCompress = 2,
}
