namespace LoraServe.Server.Options;

/// <summary>A settings file or an environment variable is wrong. The message names the file and the setting, and says what is expected.</summary>
/// <param name="message">Which, what was found, what is expected.</param>
/// <param name="innerException">What it comes from.</param>
public sealed class SettingsException(string message, Exception? innerException = null) : Exception(message, innerException);
