namespace LoraServe.Models;

/// <summary>A device cannot be used: what it needs is not here, or it has not the memory.</summary>
/// <param name="message">What is missing, and what to do.</param>
/// <param name="innerException">What went wrong below.</param>
public sealed class DeviceException(string message, Exception? innerException = null) : Exception(message, innerException);
