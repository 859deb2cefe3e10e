using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoraServe.Server.Listening;

/// <summary>Reads the server's certificate.</summary>
internal static class ServerCertificate
{
    /// <exception cref="InvalidDataException">The files are not a PEM certificate and its key.</exception>
    public static X509Certificate2 Load(string certificateFile, string? keyFile)
    {
        try
        {
            using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);

            // Some platforms cannot use a key that lives in memory only; a round trip through PKCS#12 gives one that all can.
            return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), password: null);
        }
        catch (CryptographicException exception)
        {
            throw new InvalidDataException($"{certificateFile}: no usable certificate and key ({exception.Message}) Expected PEM: the certificate here, the key here or in CertificateKeyFile.", exception);
        }
    }
}
