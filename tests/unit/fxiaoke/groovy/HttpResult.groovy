// What Fx.http answers with, by the vendor's page: a status, and a content that is a Map where the answer is JSON.
class HttpResult {
    int statusCode
    Object content
}
